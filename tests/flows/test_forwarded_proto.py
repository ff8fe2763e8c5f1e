"""Whether X-Forwarded-Proto is believed, by gunicorn and Django together, when the proxy is on this machine."""

import pytest
import requests

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("trusted", "status"), [("0", 301), ("1", 200)])
def test_the_header_is_believed_only_if_the_operator_says_so(site, trusted, status):
    site.environment |= {"HTTPS": "1", "TRUST_FORWARDED_PROTO": trusted}
    site.start_web()
    answer = requests.get(
        f"{site.url}/login/", headers={"X-Forwarded-Proto": "https"}, allow_redirects=False, timeout=30
    )
    assert answer.status_code == status
