locals {
  issuer   = "token.actions.githubusercontent.com"
  audience = "sts.amazonaws.com"

  owner      = split("/", var.github_repository)[0]
  repository = split("/", var.github_repository)[1]

  # What GitHub puts after the repository: the environment where the job has
  # one, otherwise the ref. A colon inside a value arrives as %3A.
  context = var.environment == null ? "ref:refs/heads/${var.branch}" : "environment:${replace(var.environment, ":", "%3A")}"

  # GitHub mints one of two forms: by name, or (repositories created, renamed or
  # moved since July 2026, and those that opted in) with ids that cannot be
  # taken over by whoever registers a freed name. Both must be listed, or a
  # rename locks the workflow out.
  subjects = [
    "repo:${var.github_repository}:${local.context}",
    "repo:${local.owner}@${var.github_repository_owner_id}/${local.repository}@${var.github_repository_id}:${local.context}",
  ]

  provider_arn = var.create_oidc_provider ? aws_iam_openid_connect_provider.github[0].arn : data.aws_iam_openid_connect_provider.github[0].arn
}

# Without a thumbprint: AWS verifies GitHub's certificate by its own trust store.
resource "aws_iam_openid_connect_provider" "github" {
  count = var.create_oidc_provider ? 1 : 0

  url            = "https://${local.issuer}"
  client_id_list = [local.audience]
  tags           = var.tags
}

data "aws_iam_openid_connect_provider" "github" {
  count = var.create_oidc_provider ? 0 : 1

  url = "https://${local.issuer}"
}

# StringEquals throughout: a wildcard here would be a door.
data "aws_iam_policy_document" "trust" {
  statement {
    sid     = "GitHubActions"
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [local.provider_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = [local.audience]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = local.subjects
    }
  }
}

# AWS's policy for pushing an image, on the one repository. The token of
# ecr:GetAuthorizationToken is for the whole registry: it has no ARN to name.
data "aws_iam_policy_document" "push" {
  statement {
    sid       = "Login"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid = "Push"
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:CompleteLayerUpload",
      "ecr:InitiateLayerUpload",
      "ecr:PutImage",
      "ecr:UploadLayerPart",
    ]
    resources = [var.repository_arn]
  }
}

resource "aws_iam_role" "publisher" {
  name                 = var.role_name
  description          = "Publishes images of ${var.github_repository} from GitHub Actions"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = 3600
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
}

resource "aws_iam_role_policy" "push" {
  name   = "push"
  role   = aws_iam_role.publisher.name
  policy = data.aws_iam_policy_document.push.json
}
