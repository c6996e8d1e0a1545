"""Wallet and officer as processes without any network complete the two-QR check by picture files."""

import json
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

import zxingcpp
from PIL import Image

import support
from processes import Helper

PASSCODE, CITIZEN, CAN = "482913", "001090000123", "000123"


def offline(*arguments, stdin=None):
    return subprocess.run(
        [*support.without_network(), str(support.BINARY), *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=120, check=False
    )


class OfflineCheck(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="citizen-wallet-offline-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.central, cls.wallet, cls.officer = (cls.folder / name for name in ("central", "wallet", "officer"))
        port = free_port()
        cls.expect(support.run("central", "init", "--dir", cls.central, "--public-url", f"https://localhost:{port}"))
        code = cls.expect(
            support.run("central", "staff-code", "--dir", cls.central, "--role", "traffic-police", "--organisation", "Phòng Cảnh sát giao thông", "--place", "Quốc lộ 1A, km 1420")
        ).stdout.strip()
        serve = ("central", "serve", "--dir", cls.central, "--listen", f"127.0.0.1:{port}", "--allow-software-keys")
        service = Helper(support.BINARY, *serve, log=cls.folder / "serve.log")
        card = Helper(support.BINARY, "chip", "sim", log=cls.folder / "card.log")
        try:
            cls.expect(support.run("wallet", "create", "--dir", cls.wallet, "--central", cls.central, "--passcode", PASSCODE))
            cls.activate(card.address)
            cls.expect(support.run("wallet", "issue", "--dir", cls.wallet, "--passcode", PASSCODE))
            cls.expect(support.run("officer", "enrol", "--dir", cls.officer, "--central", cls.central, "--code", "-", stdin=code + "\n"))
            cls.expect(support.run("officer", "sync", "--dir", cls.officer))
        finally:
            card.stop()
            service.stop()

    @classmethod
    def activate(cls, card):
        face = cls.folder / "face.png"
        cls.expect(support.run("chip", "selfie", "--out", face))
        command = [str(support.BINARY), "wallet", "activate", "--dir", str(cls.wallet), "--passcode", PASSCODE, "--card", card, "--can", CAN, "--face", str(face)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(300):
            spool = sorted((cls.central / "spool").glob("*.json"))
            if spool or process.poll() is not None:
                break
            time.sleep(0.1)
        code = json.loads(spool[-1].read_text())["code"] if spool else ""
        out, err = process.communicate(code + "\n", timeout=60)
        if process.returncode:
            raise AssertionError(out + err)

    @staticmethod
    def expect(done, code=0):
        if done.returncode != code:
            raise AssertionError(f"exit {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def ask(self, picture):
        process = subprocess.Popen(
            [*support.without_network(), str(support.BINARY), "officer", "ask", "--dir", str(self.officer), "--document", "driving-licence", "--out", str(picture)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(200):
            if picture.exists() and picture.stat().st_size and process.poll() is None:
                time.sleep(0.3)
                return process
            time.sleep(0.05)
        raise AssertionError("".join(process.communicate(timeout=5)))

    def test_1_there_is_no_network_in_there(self):
        inside = subprocess.run([*support.without_network(), "cat", "/proc/net/route"], capture_output=True, text=True, check=True)
        self.assertLessEqual(len(inside.stdout.strip().splitlines()), 1, "at most the heading: no route at all")

    def test_2_two_qr_check_by_picture_files(self):
        request, answer = self.folder / "request.png", self.folder / "answer.png"
        waiting = self.ask(request)
        try:
            self.assertTrue(zxingcpp.read_barcodes(Image.open(request))[0].text.startswith("CWQ1:"), "another reader reads our picture")
            self.expect(offline("wallet", "answer", "--dir", self.wallet, "--request", request, "--out", answer, "--passcode", "-", stdin=PASSCODE + "\n"))
            self.assertTrue(zxingcpp.read_barcodes(Image.open(answer))[0].text.startswith("CWA1:"))
            # Police need the face compared: without a signed portrait the verdict stays open, never green.
            checked = self.expect(offline("officer", "check", "--dir", self.officer, "--answer", answer, "--json"), 2)
            verdict = json.loads(checked.stdout)
            self.assertEqual(verdict["verdict"], "undetermined:portrait.match")
            self.assertEqual([f["name"] for f in verdict["facts"] if f["result"] == "failed"], [])
            again = offline("officer", "check", "--dir", self.officer, "--answer", answer, "--json")
            self.assertNotIn(again.returncode, (0, 2), "the same answer must not pass twice")
        finally:
            waiting.kill()
            waiting.communicate()

    def test_3_wrong_passcode_answers_nothing(self):
        request, answer = self.folder / "request3.png", self.folder / "answer3.png"
        waiting = self.ask(request)
        try:
            done = offline("wallet", "answer", "--dir", self.wallet, "--request", request, "--out", answer, "--passcode", "-", stdin="000000\n")
            self.assertNotEqual(done.returncode, 0)
            self.assertFalse(answer.exists())
        finally:
            waiting.kill()
            waiting.communicate()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    unittest.main()
