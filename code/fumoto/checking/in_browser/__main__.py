"""``python -m fumoto.checking.in_browser フォルダー``: 欄の相手ごとの表を、1 つずつのファイルに書き出す。"""

import sys
from pathlib import Path

from fumoto.checking.in_browser.files import write_all

if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
