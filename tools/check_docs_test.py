#!/usr/bin/env python3
import tempfile
import unittest
from pathlib import Path

from check_docs import check


class CheckDocs(unittest.TestCase):
    def check(self, files):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder).resolve()
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            return check(root, sorted(root.rglob("*.md")))

    def test_good_links(self):
        self.assertEqual([], self.check({
            "README.md": "# Top\n[a](docs/a.md) [b](docs/a.md#two-words-and-code) [c](#top) [d](https://example.org/x) "
                         "![e](docs/p.png)\n```\n[no](link.md)\n```\n`[no](link.md)`\n[f]: docs/a.md\n",
            "docs/a.md": "## Two words, and `code`\n[up](../README.md) [folder](../docs)\n", "docs/p.png": "",
            "src/base/README.md": "base\n"}))

    def test_a_dead_link(self):
        self.assertEqual(["README.md:2: docs/a.md leads nowhere"], self.check({"README.md": "\n[a](docs/a.md)\n"}))

    def test_a_dead_anchor(self):
        self.assertEqual(["README.md:2: #no: README.md has no such heading"], self.check({"README.md": "# Yes\n[a](#no)\n"}))

    def test_a_link_out_of_the_repository(self):
        self.assertEqual(["README.md:1: ../x leads out of the repository"], self.check({"README.md": "[a](../x)\n"}))

    def test_a_module_without_readme(self):
        errors = self.check({"src/http/a.cpp": ""})
        self.assertEqual(1, len(errors))
        self.assertIn("src/http", errors[0])


if __name__ == "__main__":
    unittest.main()
