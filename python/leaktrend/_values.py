"""Converts times and values of any library to columns of 8 bytes, and arguments to what the extension takes."""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timezone
from typing import Any

from leaktrend import _native

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MISSING = -(2**63)


def milliseconds(moment: Any, name: str) -> int:
    """One time in milliseconds since 1970. A whole number is taken as is; a time without a zone is UTC.

    Raises:
        TypeError: it is not a time.
    """
    if isinstance(moment, bool):
        raise TypeError(f"`{name}` is a bool (expected a datetime, or whole milliseconds since 1970)")
    if isinstance(moment, int):
        return int(moment)
    if isinstance(moment, datetime):
        moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        since = moment - _EPOCH
        return int((since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000)
    if isinstance(moment, date):
        return (moment - _EPOCH.date()).days * 86_400_000
    if hasattr(moment, "dtype") and moment.dtype.kind in "iuM":
        scalar = moment.astype("datetime64[ms]") if moment.dtype.kind == "M" else moment
        return int(scalar.astype("int64"))
    raise TypeError(
        f"`{name}` holds {moment!r} of type {type(moment).__name__} "
        "(expected datetimes, dates, datetime64, or whole milliseconds since 1970)"
    )


def times(given: Any, name: str = "times") -> bytes:
    """n times as n 8-byte integers in native byte order: milliseconds since 1970.

    Raises:
        TypeError: they are not times.
        ValueError: one is missing or out of range, or there is more than one dimension.
    """
    column = _array(given)
    if column is not None:
        if column.ndim != 1:
            raise ValueError(f"`{name}` has the shape {column.shape} (expected one dimension)")
        if column.dtype.kind == "M":
            whole = column.astype("datetime64[ms]").astype("int64")
            missing = whole == _MISSING
            if missing.any():
                raise ValueError(f"time {int(missing.argmax())} is missing (expected one for every value)")
            return bytes(whole.tobytes())
        if column.dtype.kind in "iu":
            return bytes(column.astype("int64").tobytes())
        if column.dtype.kind != "O":
            raise TypeError(
                f"`{name}` is an array of {column.dtype} "
                "(expected datetime64, or whole numbers: milliseconds since 1970)"
            )
        given = column.tolist()
    elif _speaks_arrow(given):
        given = _native.arrow_values(_stream(given), True, name)[0]
    found = list(_iterable(given, name))
    if None in found:
        raise ValueError(f"time {found.index(None)} is missing (expected one for every value)")
    try:
        return array("q", [milliseconds(moment, name) for moment in found]).tobytes()
    except OverflowError:
        raise ValueError(f"`{name}` holds a number that is not a time (expected milliseconds since 1970)") from None


def values(given: Any, name: str = "values") -> bytes:
    """n values as n 8-byte floats in native byte order: bytes of memory, NaN if missing.

    Raises:
        TypeError: they are not numbers.
        ValueError: one is out of range, or there is more than one dimension.
    """
    column = _array(given)
    if column is not None:
        if column.ndim != 1:
            raise ValueError(f"`{name}` has the shape {column.shape} (expected one dimension)")
        if column.dtype.kind in "iuf":
            return bytes(column.astype("float64").tobytes())
        if column.dtype.kind != "O":
            raise TypeError(f"`{name}` is an array of {column.dtype} (expected numbers: bytes)")
        given = column.tolist()
    elif _speaks_arrow(given):
        given = _native.arrow_values(_stream(given), False, name)[1]
    numbers = array("d")
    for number in _iterable(given, name):
        if isinstance(number, (bool, str, bytes)):
            raise TypeError(f"`{name}` holds {number!r} (expected numbers: bytes)")
        try:
            numbers.append(float("nan") if number is None else float(number))
        except (TypeError, ValueError):
            raise TypeError(f"`{name}` holds {number!r} (expected numbers: bytes)") from None
        except OverflowError:
            raise ValueError(f"`{name}` holds {number!r} (expected bytes: 0 to 2^53)") from None
    return numbers.tobytes()


def counted(given: Mapping[str, Any] | None, name: str) -> list[tuple[str, bytes, bytes]]:
    """What was counted: each name with the columns of its times and its numbers. Times alone count 1 each.

    Raises:
        TypeError: it is no dict, or holds something else than times or pairs of times and numbers.
        ValueError: a time is missing.
    """
    if given is None:
        return []
    if not isinstance(given, Mapping):
        raise TypeError(
            f"`{name}` is of type {type(given).__name__} (expected a dict of names with times, or with pairs of times and numbers)"
        )
    found = []
    for key, one in given.items():
        of = f"{name}[{key!r}]"
        if isinstance(one, tuple) and len(one) == 2:
            found.append((str(key), times(one[0], of), values(one[1], of)))
        elif name == "requests":
            at = times(one, of)
            found.append((str(key), at, array("d", [1.0]) * (len(at) // 8)))
        else:
            raise TypeError(f"`{of}` is of type {type(one).__name__} (expected a pair of times and numbers)")
    return [(key, at, bytes(numbers)) for key, at, numbers in found]


def changes(given: Mapping[str, Any] | Iterable[tuple[Any, str]]) -> list[tuple[int, str]]:
    """Changes as pairs of milliseconds since 1970 and label.

    Raises:
        TypeError: they are neither a dict nor pairs of time and label.
    """
    pairs = ((at, label) for label, at in given.items()) if isinstance(given, Mapping) else _iterable(given, "changes")
    found = []
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"`changes` holds {pair!r} (expected pairs of time and label)")
        found.append((milliseconds(pair[0], "changes"), str(pair[1])))
    return found


def settings(given: Mapping[str, Any] | str | os.PathLike[str] | None) -> tuple[str | None, str | None]:
    """The path of a settings file, or its contents as JSON; the other one is ``None``.

    Raises:
        TypeError: it is neither a path nor a dict that JSON can hold.
    """
    if given is None:
        return None, None
    if isinstance(given, (str, os.PathLike)):
        return os.fspath(given), None
    if not isinstance(given, Mapping):
        raise TypeError(
            f"`settings` is of type {type(given).__name__} "
            "(expected a dict as in leaktrend.toml, or the path of such a file)"
        )
    try:
        return None, json.dumps(given)
    except (TypeError, ValueError) as error:
        raise TypeError(f"`settings` cannot be used: {error}") from None


def words(options: Mapping[str, Any]) -> list[str]:
    """Options of the command line from keyword arguments: ``host_memory="16GiB"`` is ``--host-memory=16GiB``."""
    found = []
    for name, value in options.items():
        option = "--" + name.rstrip("_").replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            found.append(option)
        elif isinstance(value, Mapping):
            found.extend(f"{option}={key}={_text(one, name)}" for key, one in value.items())
        elif isinstance(value, (list, tuple)):
            found.extend(f"{option}={_text(one, name)}" for one in value)
        else:
            found.append(f"{option}={_text(value, name)}")
    return found


def paths(given: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[str]:
    """The paths of one or several inputs."""
    if isinstance(given, (str, os.PathLike)):
        return [os.fspath(given)]
    return [os.fspath(path) for path in given]


def _text(value: Any, name: str) -> str:
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
        return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    if name in ("limit", "host_memory") and isinstance(value, (int, float)):
        return f"{int(value)}B"
    return os.fspath(value) if isinstance(value, os.PathLike) else str(value)


def _array(given: Any) -> Any:
    """The NumPy array that it is or, as a pandas Series, holds; ``None`` if neither. Does not import NumPy."""
    if hasattr(given, "__array_interface__") and hasattr(given, "dtype"):
        return given
    if type(given).__module__.partition(".")[0] == "pandas" and hasattr(given, "to_numpy"):
        if getattr(given.dtype, "tz", None) is not None:
            given = given.dt.tz_convert("UTC").dt.tz_localize(None) if hasattr(given, "dt") else given.tz_convert(None)
        return given.to_numpy()
    return None


def _speaks_arrow(given: Any) -> bool:
    return hasattr(given, "__arrow_c_stream__") or hasattr(given, "__arrow_c_array__")


def _stream(given: Any) -> Any:
    """A column as an Arrow stream: an array becomes a stream of one chunk."""
    if hasattr(given, "__arrow_c_stream__"):
        return given
    import pyarrow

    return pyarrow.chunked_array([pyarrow.array(given)])


def _iterable(given: Any, name: str) -> Any:
    if isinstance(given, (str, bytes, Mapping)) or not hasattr(given, "__iter__"):
        raise TypeError(f"`{name}` is of type {type(given).__name__} (expected an array, a column or a list)")
    return given
