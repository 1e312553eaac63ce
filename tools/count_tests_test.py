#!/usr/bin/env python3
import unittest

from count_tests import count


class CountTests(unittest.TestCase):
    def test_google_test(self):
        self.assertEqual([12, 0], count("[==========] 12 tests ran.\n[  PASSED  ] 12 tests.\n"))
        self.assertEqual([11, 1], count("[  PASSED  ] 11 tests.\n[  FAILED  ] 1 test, listed below:\n\n 1 FAILED TEST\n"))
        self.assertEqual([3, 0], count("7: [  PASSED  ] 1 test.\n8: [  PASSED  ] 2 tests.\n"))

    def test_node(self):
        self.assertEqual([5, 2], count("# tests 7\n# pass 5\n# fail 1\n# cancelled 1\n# skipped 0\n"))
        self.assertEqual([5, 0], count("\u2139 tests 5\n\u2139 pass 5\n\u2139 fail 0\n\u2139 cancelled 0\n"))

    def test_mocha(self):
        self.assertEqual([25, 0], count("\n  25 passing (4s)\n"))
        self.assertEqual([24, 1], count("  24 passing (812ms)\n  1 pending\n  1 failing\n\n  1) it 7 passing\n"))

    def test_unittest(self):
        self.assertEqual([4, 0], count("Ran 4 tests in 0.1s\n\nOK\n"))
        self.assertEqual([1, 3], count("Ran 4 tests in 0.1s\n\nFAILED (failures=1, errors=2)\n"))

    def test_a_script_that_prints_its_own_total(self):
        self.assertEqual([4, 1], count("ok a\n4 passed, 1 failed\n"))

    def test_nothing(self):
        self.assertEqual([0, 0], count("all is well\n"))


if __name__ == "__main__":
    unittest.main()
