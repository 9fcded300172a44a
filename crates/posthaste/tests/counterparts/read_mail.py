"""Reads the mails of Maildirs with the standard library, and checks their signatures with dkimpy.

Arguments: the directory of the Maildirs, the DKIM record. Writes one JSON line for each mail.
"""

import base64
import json
import pathlib
import sys
from email import policy
from email.parser import BytesParser

import dkim


def record_of(records):
    return lambda name, timeout=5: records.get(name.decode().rstrip("."), "").encode()


def read(path, records):
    octets = path.read_bytes()
    mail = BytesParser(policy=policy.default).parsebytes(octets)
    leaves = [part for part in mail.walk() if not part.is_multipart()]
    signed = dkim.DKIM(octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    count = len(mail.get_all("DKIM-Signature", []))
    return {
        "box": path.parent.parent.name,
        "subject": mail["subject"],
        "from": [[one.display_name, one.addr_spec] for one in mail["from"].addresses],
        "to": [[one.display_name, one.addr_spec] for one in mail["to"].addresses],
        "reply_to": [[one.display_name, one.addr_spec] for one in mail["reply-to"].addresses],
        "return_path": mail["return-path"],
        "message_id": mail["message-id"],
        "date": mail["date"].datetime.isoformat(),
        "note": mail["x-note"],
        "list_unsubscribe": mail["list-unsubscribe"],
        "list_unsubscribe_post": mail["list-unsubscribe-post"],
        "structure": [part.get_content_type() for part in mail.walk()],
        "encodings": [part["content-transfer-encoding"] for part in leaves],
        "files": [part.get_filename() for part in leaves],
        "ids": [part["content-id"] for part in leaves],
        "dispositions": [part.get_content_disposition() for part in leaves],
        "texts": [part.get_content() for part in leaves if part.get_content_maintype() == "text"],
        "octets": [
            base64.b64encode(part.get_content()).decode()
            for part in leaves
            if part.get_content_maintype() != "text"
        ],
        "defects": [repr(d) for part in mail.walk() for d in part.defects]
        + [repr(d) for value in mail.values() for d in value.defects],
        "longest": max(len(line) for line in octets.split(b"\n")),
        "ascii": octets.isascii(),
        "signatures": [
            signed.verify(idx=number, dnsfunc=record_of(records)) for number in range(count)
        ],
    }


def main():
    records = json.loads(sys.argv[2])
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*/new/*")):
        print(json.dumps(read(path, records)))


main()
