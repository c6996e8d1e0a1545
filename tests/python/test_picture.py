"""The picture of the demo in the README is that of a real run: a fresh one, drawn again, gives the same steps, verdicts, facts and ways."""

import html
import importlib.util
import json
import pathlib
import re
import unittest

import support

PICTURES = pathlib.Path(__file__).resolve().parents[2] / "docs" / "picture"
DRAW = "run docs/picture/draw.py again and commit docs/picture/demo.svg"


def drawing():
    spec = importlib.util.spec_from_file_location("draw", PICTURES / "draw.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Picture(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.draw = drawing()
        cls.committed = (PICTURES / "demo.svg").read_text(encoding="utf-8")

    def test_steps_and_verdicts_of_the_committed_picture_are_those_of_a_fresh_run(self):
        _, report = support.demo()
        told = [(html.unescape(n), html.unescape(v)) for n, v in re.findall(r'data-step="([^"]*)" data-verdict="([^"]*)"', self.committed)]
        self.assertEqual(told, [(step["name"], step["verdict"]) for step in report["steps"]], DRAW)
        # What is told to programs is what people read in the same row.
        for row, step in zip(self.committed.split("<g data-step")[1:], report["steps"], strict=True):
            words = [html.unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", row)]
            self.assertIn(step["name"], words)
            self.assertIn(self.draw.verdict_in_words(step["verdict"]), words)

    def test_the_committed_picture_drawn_again_from_a_fresh_run_differs_in_times_only(self):
        folder, report = support.demo()
        fresh = self.draw.unchanging(self.draw.draw(folder, report))
        self.assertEqual(self.draw.unchanging(self.committed).splitlines(), fresh.splitlines(), DRAW)
        self.assertLess(len(self.committed.encode()), 300_000)

    def test_another_verdict_would_show(self):
        folder, report = support.demo()
        changed = json.loads(json.dumps(report))
        changed["steps"][-1]["verdict"] = "rejected:credential.validity"
        drawn = self.draw.unchanging(self.draw.draw(folder, changed))
        self.assertNotEqual(drawn, self.draw.unchanging(self.committed))
        self.assertIn("NOT every verdict as expected", drawn)


if __name__ == "__main__":
    unittest.main()
