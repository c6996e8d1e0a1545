"""Fills fuzz/corpus from the record of a demo: `citizen-wallet demo --dir D`, then `python fuzz/seed.py D`. All persons in it are invented.

Needs cbor2, zxing-cpp and Pillow (tests/python/requirements.txt).
"""

import base64
import json
import pathlib
import sys

import cbor2
import zxingcpp
from PIL import Image

CORPUS = pathlib.Path(__file__).parent / "corpus"


def unpad(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def keep(parser, name, data):
    if data and len(data) <= 16384:
        (CORPUS / parser).mkdir(parents=True, exist_ok=True)
        (CORPUS / parser / name).write_bytes(data)


def main(demo):
    demo = pathlib.Path(demo)
    for certificate in sorted((demo / "central" / "certificates").glob("*.der"))[:3]:
        keep("x509", certificate.stem, certificate.read_bytes())
    targets = {}
    for head in sorted((demo / "record" / "http").glob("*.json")):
        path = json.loads(head.read_text())["path"]
        body = lambda ending: head.with_suffix(ending).read_bytes() if head.with_suffix(ending).exists() else b""  # noqa: E731
        request, response = body(".request"), body(".response")
        if path == "/credential":
            kind = json.loads(request)["credential_configuration_id"]
            if kind in ("driving-licence.mdoc", "health-insurance-card.mdoc"):
                keep("mdoc", kind, unpad(json.loads(response)["credentials"][0]["credential"]))
            if kind.endswith(".sd-cwt"):
                keep("sd_cwt", kind, unpad(json.loads(response)["credentials"][0]["credential"]))
        elif path == "/wallet-provider/attestation":
            keep("jws", "key-attestation", json.loads(response)["key_attestation"].encode())
        elif path == "/activation/chip" and request:
            evidence = cbor2.loads(unpad(json.loads(request)["evidence"]))
            values = [v for v in (evidence.values() if isinstance(evidence, dict) else evidence) if isinstance(v, bytes)]
            for number, value in enumerate(values):
                if value[:1] == b"\x77":
                    keep("sod", "genuine", value)
                elif value[:1] in (b"\x61", b"\x6e", b"\x6f"):
                    keep("lds", f"dg-{value[0]:02x}", value)
            whole = unpad(json.loads(request)["evidence"])
            keep("evidence", "genuine", whole)
        elif path.startswith("/status/") and response:
            keep("status_list", "published", response)
        for name in ("issuers", "readers", "status", "cards"):
            if path.endswith(f"{name}.json") and "/targets/" in path and not path.endswith(f".targets.json"):
                targets[name] = response
    if len(targets) == 4:
        keep("trust_targets", "published", b"\0".join(targets[n] for n in ("issuers", "readers", "status", "cards")))
    for answer in sorted((demo / "record" / "answers").glob("*"))[:2]:
        keep("sd_cwt", f"answer-{answer.stem}", answer.read_bytes())
        keep("cose", f"answer-{answer.stem}", answer.read_bytes())
    for picture in sorted((demo / "record" / "qr").glob("*.png"))[:4]:
        found = zxingcpp.read_barcodes(Image.open(picture))
        if found:
            keep("qr_text", picture.stem, found[0].text.encode())
    small = pathlib.Path(CORPUS / "qr_picture")
    small.mkdir(exist_ok=True)
    symbol = zxingcpp.write_barcode(zxingcpp.BarcodeFormat.QRCode, "CWQ1:", width=90, height=90)
    image = Image.fromarray(symbol).convert("L").resize((96, 96))
    keep("qr_picture", "pixels", image.tobytes())
    image.save(small / "small.png")


if __name__ == "__main__":
    main(*sys.argv[1:])
