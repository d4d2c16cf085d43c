#!/usr/bin/env python3
"""A learner for p2pfaas in a few lines: an epsilon-greedy table over HTTP.

A node with the policy "external" asks it where each invocation goes that enters the
mesh there, and tells it what came of that. Python 3 is all it needs:

    python3 examples/external-learner/learner.py --port 19020
    p2pfaas-node run --policy external --learner http://127.0.0.1:19020

    curl http://127.0.0.1:19020/learner/stats

The node sends, and wants within --set deadline=20ms:

    GET /act            X-P2pfaas-Learning-State: type,running...,waiting...
                        X-P2pfaas-Learning-Actions: those that are possible now
                        -> the number of an action: 0 refuse, 1 run it here,
                           2 probe a peer and forward if it is less loaded,
                           3 and up forward to that peer
    POST /train_batch   [{"eid": 7, "state": "0,1,2", "action": 1, "reward": 1}, ...]
                        -> anything; the reward is 1 for an answer on time, else 0

If this program is slow, wrong or gone, the node decides by its default policy. One
learner is for one node. Better learners replace choose and learn; the rest may stay.
"""

import argparse
import json
import random
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

ALPHA, DECAY, LEAST = 0.1, 0.995, 0.02  # step size; how exploration fades, and to what


class Table:
    """The value of each action in each state: the mean of its latest rewards."""

    def __init__(self):
        self.lock, self.values, self.epsilon = Lock(), {}, 0.5
        self.asked = self.learned = 0

    def choose(self, state, actions):
        with self.lock:
            self.asked += 1
            self.epsilon = max(LEAST, self.epsilon * DECAY)
            if random.random() < self.epsilon:
                return random.choice(actions)
            # What was never tried counts as good, and an action that serves goes
            # before refusing.
            return max(actions, key=lambda a: (self.values.get((state, a), 1.0), a != 0))

    def learn(self, state, action, reward):
        with self.lock:
            self.learned += 1
            old = self.values.get((state, action), 1.0)
            self.values[state, action] = old + ALPHA * (reward - old)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps the connection: the node asks often
    disable_nagle_algorithm = True

    def do_GET(self):
        if self.path == "/learner/stats":
            t = self.server.table
            self.reply(json.dumps({"inferences": t.asked, "trained_items": t.learned, "epsilon": t.epsilon}))
        elif self.path == "/act":
            state = self.headers["X-P2pfaas-Learning-State"]
            actions = self.headers.get("X-P2pfaas-Learning-Actions", "1,2")
            action = self.server.table.choose(state, [int(a) for a in actions.split(",")])
            self.reply(str(action), {"X-P2pfaas-Eps": f"{self.server.table.epsilon:.5f}"})
        else:
            self.send_error(404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/train_batch":
            self.send_error(404)
            return
        for entry in json.loads(body):
            self.server.table.learn(entry["state"], int(entry["action"]), float(entry["reward"]))
        self.reply("ok")

    def reply(self, text, headers={}):
        self.send_response(200)
        for name, value in {**headers, "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description="a learner for p2pfaas")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=19020)
    args = parser.parse_args()
    server = ThreadingHTTPServer((args.host, args.port), Handler)
    server.table = Table()
    print(f"listening http://{args.host}:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
