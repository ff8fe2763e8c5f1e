"""YooKassa (yookassa.ru), by its API version 3."""
