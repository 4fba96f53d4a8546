"""``python -m fumoto check ファイル``: ``fumoto check ファイル`` と同じ。"""

from fumoto.command import main, run

__all__ = ["main"]

if __name__ == "__main__":
    run()
