"""The platform's official Python SDK against the server at FEISHU_BASE_URL, which must have just been started.

Cancels a pending application, is told that it is terminated the second time, and that another one is managed in Feishu
People. Prints what it saw; exits with 1 at the first thing that is otherwise.
"""

import os
import sys

import lark_oapi as lark
from lark_oapi.api.hire.v1 import (
    CancelOnboardApplicationRequest,
    CancelOnboardApplicationRequestBody,
)

PENDING, TERMINATED, IN_FEISHU_PEOPLE = "1111111111", "2222222222", "3333333333"

# What is called, and the HTTP status and the code that must come back.
EXPECTED = [
    (PENDING, 200, 0),
    (PENDING, 400, 1002221),
    (TERMINATED, 400, 1002221),
    (IN_FEISHU_PEOPLE, 400, 1002910),
]


def cancel(client: lark.Client, application_id: str):
    body = (
        CancelOnboardApplicationRequestBody.builder()
        .termination_type(1)
        .termination_reason_id_list(["6959090661225640000"])
        .termination_reason_notes("候选人经历不匹配")
        .build()
    )
    request = CancelOnboardApplicationRequest.builder().application_id(application_id).request_body(body).build()
    return client.hire.v1.application.cancel_onboard(request)


def main() -> int:
    client = (
        lark.Client.builder()
        .domain(os.environ["FEISHU_BASE_URL"])
        .app_id(os.environ["FEISHU_APP_ID"])
        .app_secret(os.environ["FEISHU_APP_SECRET"])
        .timeout(10)
        .log_level(lark.LogLevel.ERROR)
        .build()
    )
    for application_id, status, code in EXPECTED:
        response = cancel(client, application_id)
        log_id = response.get_log_id()
        print(f"{application_id}: HTTP {response.raw.status_code}, code {response.code}, {response.msg}, {log_id}")
        if (response.raw.status_code, response.code, response.success()) != (status, code, code == 0):
            print(f"expected HTTP {status} and code {code}", file=sys.stderr)
            return 1
        if not log_id:
            print("expected a log id", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
