"""What the mails about accounts say, in the language of whoever gets them."""

from typing import Literal

from engine.mail.message import Mail
from engine.people.credentials import Account

__all__ = ["mail_of"]

SUBJECTS = {
    ("reset", "en"): "Choose a new password",
    ("reset", "zh-CN"): "重置密码",
    ("invite", "en"): "Your account is ready",
    ("invite", "zh-CN"): "您的账号已开通",
}
TEXTS = {
    ("reset", "en"): """\
Hello {name},

somebody, hopefully you, asked for a new password for {username}. Choose it here:

{link}

The link works once, for {time}. If it was not you, there is nothing to do: your password stays as it is.
""",
    ("reset", "zh-CN"): """\
{name}，您好：

我们收到了重置账号 {username} 密码的请求。请打开以下链接设置新密码：

{link}

链接仅可使用一次，{time}内有效。如非本人操作，请忽略此邮件，您的密码不会改变。
""",
    ("invite", "en"): """\
Hello {name},

an account was made for you; its user name is {username}. Choose a password here, then sign in:

{link}

The link works once, for {time}.
""",
    ("invite", "zh-CN"): """\
{name}，您好：

已为您开通账号，用户名为 {username}。请打开以下链接设置密码后登录：

{link}

链接仅可使用一次，{time}内有效。
""",
}


def mail_of(kind: Literal["reset", "invite"], account: Account, link: str, hours: int) -> Mail:
    language = "zh-CN" if account.language == "zh-CN" else "en"
    time = f"{hours} 小时" if language == "zh-CN" else "one hour" if hours == 1 else f"{hours} hours"
    values = {"name": account.name or account.username, "username": account.username, "link": link, "time": time}
    return Mail(account.email, SUBJECTS[kind, language], TEXTS[kind, language].format_map(values))
