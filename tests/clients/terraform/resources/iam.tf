# Every resource of IAM that a publisher may need, with all of its arguments.
resource "aws_iam_openid_connect_provider" "github" {
  url             = "https://token.actions.githubusercontent.com"
  client_id_list  = var.changed ? ["sts.amazonaws.com", "https://github.com/acme"] : ["sts.amazonaws.com", "https://example.com"]
  thumbprint_list = [var.changed ? "6938fd4d98bab03faadb97b34396831e3780aea1" : "1c58a3a8518e8759bf075b76b750d4f2df264fcd"]
  tags            = { stage = var.changed ? "second" : "first" }
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.github.arn]
    }
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:sub"
      values   = ["repo:acme/api:ref:refs/heads/${var.changed ? "release" : "main"}"]
    }
  }
}

resource "aws_iam_role" "publisher" {
  name                  = "publisher"
  path                  = "/ci/"
  assume_role_policy    = data.aws_iam_policy_document.trust.json
  description           = var.changed ? "publishes releases" : "publishes"
  max_session_duration  = var.changed ? 7200 : 3600
  permissions_boundary  = var.changed ? aws_iam_policy.push.arn : aws_iam_policy.boundary.arn
  force_detach_policies = true
  tags                  = { stage = var.changed ? "second" : "first" }
}

data "aws_iam_policy_document" "push" {
  statement {
    actions   = var.changed ? ["ecr:*"] : ["ecr:PutImage", "ecr:BatchGetImage"]
    resources = [aws_ecr_repository.backend.arn]
  }
}

data "aws_iam_policy_document" "login" {
  statement {
    actions   = concat(["ecr:GetAuthorizationToken"], var.changed ? ["ecr:DescribeRegistry"] : [])
    resources = ["*"]
  }
}

resource "aws_iam_policy" "push" {
  name        = "push"
  path        = "/ci/"
  description = "pushes to one repository"
  policy      = data.aws_iam_policy_document.push.json
  tags        = { stage = var.changed ? "second" : "first" }
}

resource "aws_iam_policy" "boundary" {
  name   = "boundary"
  policy = data.aws_iam_policy_document.login.json
}

resource "aws_iam_role_policy" "login" {
  name   = "login"
  role   = aws_iam_role.publisher.id
  policy = data.aws_iam_policy_document.login.json
}

resource "aws_iam_role_policy_attachment" "push" {
  role       = aws_iam_role.publisher.name
  policy_arn = aws_iam_policy.push.arn
}

data "aws_iam_role" "publisher" {
  name = aws_iam_role.publisher.name
}

data "aws_iam_openid_connect_provider" "github" {
  arn = aws_iam_openid_connect_provider.github.arn
}

data "aws_iam_policy" "push" {
  arn = aws_iam_policy.push.arn
}
