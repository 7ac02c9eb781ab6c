"""IP addresses and networks, without leading zeros and without IPv4 in IPv6's clothes.

Source: kubernetes/apimachinery pkg/util/validation/ip.go, v0.36.1
"""

import ipaddress
import re

from gpusched.api.validation.errors import Errors, invalid

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _parse(text: str) -> tuple[Address | None, bool]:
    """Return the address, leading zeros or not, and whether it had any."""
    if "%" in text:
        return None, False
    plain = re.sub(r"(?<![0-9a-fA-F:])0+(?=[0-9])", "", text) if "." in text else text
    try:
        return ipaddress.ip_address(plain), plain != text
    except ValueError:
        return None, False


def _is_mapped(address: Address) -> bool:
    return isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None


def validate_ip(text: str, path: str) -> Errors:
    """Check an IP address."""
    address, has_zeros = _parse(text)
    if address is None:
        yield invalid(path, text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
        return
    if has_zeros:
        yield invalid(path, text, "must not have leading 0s")
    if _is_mapped(address):
        yield invalid(path, text, "must not be an IPv4-mapped IPv6 address")


def validate_cidr(text: str, path: str) -> Errors:
    """Check a network."""
    host, _, bits = text.partition("/")
    if family(text) is None:
        detail = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
        yield invalid(path, text, detail)
        return
    address, has_zeros = _parse(host)
    if has_zeros or (bits.startswith("0") and bits != "0"):
        yield invalid(path, text, "must not have leading 0s in IP or prefix length")
    elif address is not None and _is_mapped(address):
        yield invalid(path, text, "must not have an IPv4-mapped IPv6 address")
    elif int(ipaddress.ip_network(text, strict=False).network_address) != int(address or 0):
        masked = ipaddress.ip_network(text, strict=False)
        yield invalid(
            path, text, f'must not have bits set beyond the prefix length, try "{masked}"'
        )


def family(network: str) -> int | None:
    """Return 4 or 6, or None for what is no network."""
    host, slash, bits = network.partition("/")
    address, _ = _parse(host)
    if address is None or not slash or not re.fullmatch("[0-9]{1,3}", bits):
        return None
    return address.version if int(bits) <= address.max_prefixlen else None
