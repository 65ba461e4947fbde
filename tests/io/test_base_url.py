from __future__ import annotations

import pytest

from codeintel_rev.errors import InvalidArgument
from codeintel_rev.io.base_url import normalised_base_url


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://h:8000", "http://h:8000"),
        (" http://h:8000/v1/ ", "http://h:8000"),
        ("https://h/openai/v1", "https://h/openai"),
        ("http://10.0.0.7:8000", "http://10.0.0.7:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_base_url_is_normalised(url: str, base: str) -> None:
    assert normalised_base_url(url) == base


@pytest.mark.parametrize(
    "url",
    [
        "",
        "h:8000",
        "file:///etc/passwd",
        "http://",
        "http://u:s3cret@h",
        "http://h:x",
        "http://169.254.169.254/latest/meta-data",
        "http://0xa9fea9fe",
        "http://2852039166:80",
        "http://[::ffff:169.254.169.254]",
        "http://[fe80::1]:8000",
        "http://[fd00:ec2::254]",
        "http://metadata.google.internal./computeMetadata",
    ],
)
def test_what_is_no_address_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        normalised_base_url(url)
    assert "s3cret" not in caught.value.message
