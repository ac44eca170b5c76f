"""Prints a tenant_access_token of the server at FEISHU_BASE_URL."""

import os

import requests

answer = requests.post(
    os.environ["FEISHU_BASE_URL"] + "/open-apis/auth/v3/tenant_access_token/internal",
    json={"app_id": os.environ["FEISHU_APP_ID"], "app_secret": os.environ["FEISHU_APP_SECRET"]},
    timeout=10,
)
print(answer.json()["tenant_access_token"])
