"""docs/threats.md names tests that exist, and leaves out no line of SECURITY.md."""

import pathlib
import re
import unittest

TREE = pathlib.Path(__file__).resolve().parents[2]
NAMED = re.compile(r"`([\w./-]+\.(?:rs|py))::(\w+)`")


def words(text, count):
    """The first words of a line, without marks."""
    return " ".join(re.findall(r"\w+", text)[:count])


def has_test(file, name):
    """Whether a file has a test function of that name."""
    if not file.is_file():
        return False
    text = file.read_text()
    if file.suffix == ".py":
        return name.startswith("test_") and re.search(rf"^    def {name}\(self", text, re.M) is not None
    return re.search(rf"#\[(?:tokio::)?test[^\]]*\]\n(?:\s*(?:#\[[^\n]*\]|//[^\n]*)\n)*\s*(?:async )?fn {name}\(", text) is not None


class Threats(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.security = (TREE / "SECURITY.md").read_text()
        cls.threats = (TREE / "docs" / "threats.md").read_text()

    def test_every_named_test_exists(self):
        named = NAMED.findall(self.threats)
        self.assertGreater(len(named), 60)
        self.assertEqual([f"{file}::{name}" for file, name in named if not has_test(TREE / file, name)], [])

    def test_a_missing_test_is_noticed(self):
        self.assertFalse(has_test(TREE / "central/src/db.rs", "evidence_is_appendonly"))
        self.assertFalse(has_test(TREE / "central/src/nothing.rs", "evidence_is_append_only"))

    def test_every_threat_has_its_chapter(self):
        table = self.security.split("## Threats")[1].split("\n## ")[0]
        names = re.findall(r"^\| \*\*(.+?)\*\*", table, re.M)
        self.assertGreaterEqual(len(names), 10)
        self.assertEqual([name for name in names if f"### {name}\n" not in self.threats], [])

    def test_every_line_has_a_test_or_the_words(self):
        rows = [row for row in self.threats.splitlines() if row.startswith("| ") and not row.startswith(("| Claim", "| ---"))]
        self.assertEqual([row for row in rows if not NAMED.search(row) and "not defended" not in row], [])

    def test_every_open_finding_is_here(self):
        found = self.security.split("## Found by hostile testing")[1].split("\n## ")[0]
        mine = words(self.threats, None)
        points = [words(point, 6) for point in re.findall(r"^- (.+)", found, re.M)]
        self.assertTrue(points)
        self.assertEqual([point for point in points if point not in mine], [])


if __name__ == "__main__":
    unittest.main()
