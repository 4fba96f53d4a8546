"""The book in a real browser (Playwright, Debian's Chromium)."""
