"""Tests of ``fumoto.checking``: a learner's own code against the printed equations."""
