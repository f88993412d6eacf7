from typing import Any

__version__: str

class Table:
    def __arrow_c_stream__(self, requested_schema: object = None) -> Any: ...
    def __arrow_c_schema__(self) -> Any: ...
    def __len__(self) -> int: ...
    @property
    def columns(self) -> list[str]: ...
    def to_dicts(self) -> list[dict[str, Any]]: ...

class NativeReport:
    @property
    def outcome(self) -> str: ...
    @property
    def exit_code(self) -> int: ...
    @property
    def series(self) -> list[str]: ...
    def to_json(self) -> str: ...
    def to_html(self) -> str: ...
    def cells(self) -> list[list[str]]: ...
    def chart(self, series: str) -> str: ...
    def verdicts(self) -> Table: ...

def judge_frame(
    frame: object,
    series: str,
    time: str,
    value: str,
    limit: float | str | dict[Any, float] | None,
    resolution: float | str | None,
    flags: str | None,
    metric: str | None,
    since: int | None,
    until: int | None,
    settings_path: str | None,
    settings_json: str | None,
) -> Table: ...
def settle_frame(frame: object, p_values: bytes | None = None) -> Table: ...
def bounds(frame: object, time: str, value: str) -> tuple[int, int] | None: ...
def window(first: int, last: int, settings_path: str | None, settings_json: str | None) -> tuple[int, int]: ...
def judge_one(
    times: bytes,
    values: bytes,
    restarts: list[int] | None,
    limit: float | None,
    resolution: float,
    metric: str,
    name: str,
    settings_path: str | None,
    settings_json: str | None,
) -> Table: ...
def chart_one(
    times: bytes,
    values: bytes,
    restarts: list[int] | None,
    limit: float | None,
    resolution: float,
    metric: str,
    name: str,
    settings_path: str | None,
    settings_json: str | None,
) -> str: ...
def causes_one(
    times: bytes,
    values: bytes,
    restarts: list[int] | None,
    limit: float | None,
    resolution: float,
    metric: str,
    name: str,
    settings_path: str | None,
    settings_json: str | None,
    requests: list[tuple[str, bytes, bytes]],
    covariates: list[tuple[str, bytes, bytes]],
    changes: list[tuple[int, str]] | None,
) -> str | None: ...
def arrow_values(array: object, as_times: bool, name: str) -> tuple[list[int | None], list[float | None]]: ...
def read(words: list[str]) -> tuple[Table, str]: ...
def analyze(words: list[str]) -> NativeReport: ...
def main(arguments: list[str]) -> int: ...
