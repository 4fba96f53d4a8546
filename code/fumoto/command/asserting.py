"""pytest の中の ``assert check(MyAdam)`` が失敗したとき、結果の全文を見せる(pytest は、長いものを途中で切る)。"""

from typing import Any


def pytest_exception_interact(call: Any, report: Any) -> None:
    """失敗した ``assert`` の中に ``Report`` があれば、失敗の説明に、節を 1 つ足す。"""
    if not hasattr(report, "sections") or not call.excinfo.errisinstance(AssertionError):
        return
    for value in call.excinfo.traceback[-1].frame.f_locals.values():
        kind = type(value)
        if kind.__name__ == "Report" and kind.__module__.startswith("fumoto.") and not value.ok:
            report.sections.append(("fumoto", str(value)))
            return
