"""In which language a request is answered: pages by their address, the API by `Accept-Language`."""

from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation


class Language(LocaleMiddleware):
    """Django's own looks at nothing but the address where the default language has no prefix. Under /api/ no address
    has one: there the header decides, English without it. Answers carry `Content-Language` and `Vary` as ever.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Activate the language of the answer."""
        super().process_request(request)
        if request.path_info.startswith("/api/"):
            translation.activate(translation.get_language_from_request(request))
            request.LANGUAGE_CODE = translation.get_language()
