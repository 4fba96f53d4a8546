"""Tests of ``fumoto.printed``: what is read from the pages, computed, spoiled and written for the browser."""
