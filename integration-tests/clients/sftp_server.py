"""An SFTP server of another make (asyncssh) that wants a password.

sftp_server.py FOLDER PASSWORD: serves FOLDER on a free port of the loopback until its standard input
ends; prints the port and the line of its host key.
"""

import asyncio
import sys

import asyncssh

folder, password = sys.argv[1:]


class Server(asyncssh.SSHServer):
    def begin_auth(self, username):
        return True

    def password_auth_supported(self):
        return True

    def validate_password(self, username, given):
        return username == "naru" and given == password


async def serve():
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.create_server(
        Server,
        "127.0.0.1",
        0,
        server_host_keys=[key],
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=folder),
    )
    print(server.get_port(), key.export_public_key("openssh").decode().strip(), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(serve())
