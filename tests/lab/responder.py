# SPDX-License-Identifier: LGPL-2.1-or-later
"""A CA's web server for the lab: OCSP answers and a revocation list, made by openssl on demand, and
bad manners on request. It counts what it is asked."""
import http.server
import json
import os
import subprocess
import sys
import tempfile
import time

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors", "x509")
ADDRESS = ("10.77.1.1", 8080)


POST, GET = ["POST", "/ocsp"], ["GET", "/ca.crl"]


class CaServer:
    """The program below, in the router's namespace: an address that clients reach."""

    def __init__(self, bench, how="good"):
        import place  # the lab's; the program itself needs nothing of it
        self.log = os.path.join(bench.folder, "ca-%d.log" % len(bench.processes))
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", place.ns("rt"), sys.executable, os.path.abspath(__file__),
             how, self.log], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        bench.remember(self.process)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("the CA's server did not start")

    def end(self):
        """What it was asked for, in order."""
        self.process.kill()
        self.process.wait()
        with open(self.log) as f:
            return [json.loads(line) for line in f]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.end()


def ocsp_answer(request, signer):
    with tempfile.TemporaryDirectory() as tmp:
        asked, answer = os.path.join(tmp, "q"), os.path.join(tmp, "a")
        with open(asked, "wb") as f:
            f.write(request)
        key = {"ca": "ca", "ocsp-responder": "ec256"}.get(signer, signer)
        out = subprocess.run(["openssl", "ocsp", "-index", "uri.index", "-CA", "ca.pem", "-rsigner",
                              signer + ".pem", "-rkey", key + ".key", "-reqin", asked, "-respout",
                              answer, "-ndays", "7"], cwd=VECTORS, capture_output=True)
        if out.returncode:
            return b""
        with open(answer, "rb") as f:
            return f.read()


class Handler(http.server.BaseHTTPRequestHandler):
    timeout = 20

    def count(self):
        with open(self.server.log, "a") as f:
            f.write(json.dumps([self.command, self.path]) + "\n")

    def say(self, body, status=200, more=()):
        self.send_response(status)
        for name, value in more:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def serve(self, body, kind):
        self.count()
        how = self.server.how
        if how == "silent":
            time.sleep(15)
        elif how == "redirect":
            self.say(b"", 302, [("Location", "http://10.77.1.1:8080/elsewhere")])
        elif how == "huge":
            try:
                for _ in range(64):
                    self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" if not _ else b"x" * 65536)
            except OSError:
                pass
        elif how == "no-" + kind:
            self.say(b"", 404)
        else:
            self.say(body())

    def do_POST(self):
        request = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        signer = self.server.how if os.path.exists(os.path.join(VECTORS, self.server.how + ".pem")) \
            else "ca"
        self.serve(lambda: ocsp_answer(request, signer), "ocsp")

    def do_GET(self):
        def body():
            with open(os.path.join(VECTORS, "uri.crl"), "rb") as f:
                return f.read()
        self.serve(body, "crl")

    def log_message(self, *_):
        pass


def main():
    server = http.server.ThreadingHTTPServer(ADDRESS, Handler)
    server.how, server.log = sys.argv[1], sys.argv[2]
    with open(server.log, "w"):
        pass
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
