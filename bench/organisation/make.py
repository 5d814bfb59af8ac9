#!/usr/bin/env python3
"""Writes a synthetic organisation: many roles, many workflows, one checkout.

    bench/organisation/make.py [--roles 1000] [--workflows 2000] DIRECTORY

Roles differ in how their trust policy is written (policy document, jsonencode,
heredoc), in what they admit (both subject forms, one form, a wildcard, an
environment), and every tenth is flawed. Workflows differ in their triggers; each
assumes one of the roles. The same numbers give the same files.
"""

import argparse
import pathlib

ACCOUNT = "123456789012"
ISSUER = "token.actions.githubusercontent.com"
PER_FILE = 25

PREAMBLE = f"""terraform {{
  required_providers {{
    aws = {{ source = "hashicorp/aws" }}
  }}
}}

provider "aws" {{
  region = "eu-west-1"
}}

resource "aws_iam_openid_connect_provider" "github" {{
  url            = "https://{ISSUER}"
  client_id_list = ["sts.amazonaws.com"]
}}
"""


def subjects(number):
    name, immutable = "repo:acme/portfolio", "repo:acme@1234567/portfolio@7654321"
    context = [
        "ref:refs/heads/main",
        f"ref:refs/heads/release-{number}",
        f"environment:stage-{number}",
        f"ref:refs/tags/v{number}.*",
    ][number % 4]
    if number % 10 == 7:
        return "StringLike", ["repo:acme*"]
    operator = "StringLike" if "*" in context else "StringEquals"
    return operator, [f"{name}:{context}", f"{immutable}:{context}"]


def role(number):
    operator, values = subjects(number)
    listed = ", ".join(f'"{value}"' for value in values)
    trust = [document, encoded, heredoc][number % 3]
    repository = f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/service-{number}"
    return trust(number, operator, listed) + f"""
resource "aws_iam_role_policy" "r{number}" {{
  name = "push"
  role = aws_iam_role.r{number}.name
  policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [
      {{
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload",
                    "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"]
        Resource = "{repository}"
      }},
      {{ Effect = "Allow", Action = "ecr:GetAuthorizationToken", Resource = "*" }},
    ]
  }})
}}

resource "aws_ecr_repository" "r{number}" {{
  name                 = "service-{number}"
  image_tag_mutability = "IMMUTABLE"
}}
"""


def document(number, operator, listed):
    return f"""
data "aws_iam_policy_document" "r{number}" {{
  statement {{
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {{
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.github.arn]
    }}
    condition {{
      test     = "StringEquals"
      variable = "{ISSUER}:aud"
      values   = ["sts.amazonaws.com"]
    }}
    condition {{
      test     = "{operator}"
      variable = "{ISSUER}:sub"
      values   = [{listed}]
    }}
  }}
}}

resource "aws_iam_role" "r{number}" {{
  name               = "role-{number}"
  assume_role_policy = data.aws_iam_policy_document.r{number}.json
}}
"""


def encoded(number, operator, listed):
    return f"""
resource "aws_iam_role" "r{number}" {{
  name = "role-{number}"
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = {{ Federated = aws_iam_openid_connect_provider.github.arn }}
      Condition = {{
        StringEqualsIgnoreCase = {{ "{ISSUER}:aud" = "sts.amazonaws.com" }}
        {operator} = {{ "{ISSUER}:sub" = [{listed}] }}
      }}
    }}]
  }})
}}
"""


def heredoc(number, operator, listed):
    return f"""
resource "aws_iam_role" "r{number}" {{
  name               = "role-{number}"
  assume_role_policy = <<-EOT
    {{
      "Version": "2012-10-17",
      "Statement": [{{
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {{ "Federated": "${{aws_iam_openid_connect_provider.github.arn}}" }},
        "Condition": {{
          "ForAnyValue:StringEquals": {{ "{ISSUER}:aud": "sts.amazonaws.com" }},
          "{operator}": {{ "{ISSUER}:sub": [{listed}] }}
        }}
      }}]
    }}
  EOT
}}
"""


TRIGGERS = [
    "on:\n  push:\n    branches: [main]\n",
    "on:\n  push:\n    branches: [main, 'release-*']\n  workflow_dispatch:\n",
    "on:\n  pull_request:\n  push:\n    branches: [main]\n",
    "on:\n  push:\n    tags: ['v*']\n",
]


def workflow(number, roles):
    role = number % roles
    environment = f"    environment: stage-{role}\n" if role % 4 == 2 else ""
    return f"""name: service {number}
{TRIGGERS[number % 4]}permissions:
  contents: read
concurrency: service-{number}
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8
      - run: make test
  publish:
    needs: test
    runs-on: ubuntu-24.04
{environment}    permissions:
      id-token: write
    steps:
      - uses: aws-actions/configure-aws-credentials@a03048d87541d1d9fcf2ecf528a4a65ba9bd7838
        with:
          aws-region: eu-west-1
          role-to-assume: arn:aws:iam::{ACCOUNT}:role/role-{role}
      - run: longshore publish
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--roles", type=int, default=1000)
    parser.add_argument("--workflows", type=int, default=2000)
    parser.add_argument("directory", type=pathlib.Path)
    given = parser.parse_args()
    infra, workflows = given.directory / "infra", given.directory / ".github/workflows"
    infra.mkdir(parents=True, exist_ok=True)
    workflows.mkdir(parents=True, exist_ok=True)
    (infra / "main.tf").write_text(PREAMBLE)
    for first in range(0, given.roles, PER_FILE):
        numbers = range(first, min(first + PER_FILE, given.roles))
        (infra / f"roles-{first:05}.tf").write_text("".join(map(role, numbers)))
    for number in range(given.workflows):
        (workflows / f"service-{number:05}.yml").write_text(workflow(number, given.roles))
    (given.directory / "longshore.toml").write_text(
        '[image]\npackage = "portfolio"\n\n[aws]\nterraform = "infra"\n'
        f'account = "{ACCOUNT}"\nrole = "role-0"\nrepository = "service-0"\n\n'
        '[github]\nrepository = "acme/portfolio"\nowner-id = 1234567\n'
        'repository-id = 7654321\nworkflow = ".github/workflows/service-00000.yml"\n'
    )


if __name__ == "__main__":
    main()
