#!/usr/bin/env python3
"""An agent of Caddis' measuring protocol; the standard library is all it takes.

    agent.py              one JSON object a line, on standard input and output
    agent.py --http 8077  a POST of the same object to http://127.0.0.1:8077/

Put what runs the network on your device (adb, ssh, a serial port) into `prepare` and `run_once`. As they stand
they run nothing: a pass over the bytes of the model is the stand-in, so that the protocol can be tried anywhere.
"""
import base64
import json
import sys
import time
import zlib
from http.server import BaseHTTPRequestHandler, HTTPServer


def prepare(model, request):
    """Bring the network to the device, in request["precision"]; what is returned is handed to run_once."""
    return model


def run_once(network):
    """One inference. Return its seconds, by the device's own clock if it has one."""
    began = time.perf_counter()
    zlib.crc32(network)
    return time.perf_counter() - began


def measure(request):
    """The answer to one request: samples, of which Caddis takes median and spread."""
    where = request["model"]
    if "path" in where:
        with open(where["path"], "rb") as file:
            model = file.read()
    else:
        model = base64.b64decode(where["base64"])
    network = prepare(model, request)
    for _ in range(request["warmup"]):
        run_once(network)
    samples = [1000 * run_once(network) for _ in range(request["repeats"])]
    return {"id": request["id"], "latency": {"samples": samples, "unit": "ms"}}


def answer(text):
    request = json.loads(text)
    try:
        return measure(request)
    except Exception as error:  # the trial fails with this text, the agent goes on
        return {"id": request["id"], "error": f"{type(error).__name__}: {error}"}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.dumps(answer(self.rfile.read(int(self.headers["Content-Length"])))).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--http":
        # one request at a time: a device runs one network at a time
        server = HTTPServer(("127.0.0.1", int(sys.argv[2])), Handler)
        print(f"listening on http://127.0.0.1:{server.server_port}/", flush=True)
        server.serve_forever()
    for line in sys.stdin:
        print(json.dumps(answer(line)), flush=True)
