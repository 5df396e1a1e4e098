"""A real SMTP server for tests, scripted by the local part of each recipient.

Prints its port on a line of its own. Each line on standard input asks for a report, which is one line of JSON; the
end of standard input ends the server, so that it never outlives its test.

    refused@       550, always          refused_once@   550, then 250
    later@         451, always          later_once@     451, then 250
    closing_once@  421, then 250        dropped_once@   the connection breaks after the final dot, then 250
"""

import argparse
import asyncio
import json
import logging
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult

# What a test plans is no news.
logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")

CODES = {"refused": "550 no such person", "later": "451 try again", "closing": "421 going down"}


class Handler:
    def __init__(self):
        self.messages = []
        self.attempts = {}
        self.greetings = 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.greetings += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        tries = self.attempts.get(address, 0) + 1
        self.attempts[address] = tries
        word, _, once = address.split("@")[0].partition("_")
        if word in CODES and (not once or tries == 1):
            return CODES[word]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        recipient = envelope.rcpt_tos[0]
        is_dropped = recipient.startswith("dropped_once@") and self.attempts[recipient] == 1
        self.messages.append({
            "from": envelope.mail_from,
            "to": recipient,
            "data": envelope.content.decode(),
            "tls": server.transport.get_extra_info("sslcontext") is not None,
            "user": session.auth_data,
            "answered": not is_dropped,
        })
        if is_dropped:
            server.transport.abort()
        return "250 taken"

    def report(self):
        return {"messages": self.messages, "attempts": self.attempts, "greetings": self.greetings}


def context(arguments):
    if not arguments.certificate:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(arguments.certificate, arguments.key)
    return made


def authenticator(expected):
    def check(server, session, envelope, mechanism, data):
        given = f"{data.login.decode()}:{data.password.decode()}"
        return AuthResult(success=given == expected, auth_data=data.login.decode(), handled=False)

    return check


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--encryption", choices=["none", "starttls", "wrapped"], default="none")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--ascii-only", action="store_true", help="without SMTPUTF8")
    parser.add_argument("--login", help="name:password that is required")
    arguments = parser.parse_args()
    loop = asyncio.get_running_loop()
    handler, tls = Handler(), context(arguments)
    is_starttls = arguments.encryption == "starttls"

    def conversation():
        return SMTP(
            handler,
            enable_SMTPUTF8=not arguments.ascii_only,
            hostname="localhost",
            tls_context=tls if is_starttls else None,
            require_starttls=is_starttls,
            auth_required=arguments.login is not None,
            auth_require_tls=is_starttls,
            authenticator=authenticator(arguments.login) if arguments.login else None,
            loop=loop,
        )

    wrapping = tls if arguments.encryption == "wrapped" else None
    server = await loop.create_server(conversation, "127.0.0.1", 0, ssl=wrapping)
    print(server.sockets[0].getsockname()[1], flush=True)
    questions = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(questions), sys.stdin)
    while await questions.readline():
        print(json.dumps(handler.report()), flush=True)


asyncio.run(main())
