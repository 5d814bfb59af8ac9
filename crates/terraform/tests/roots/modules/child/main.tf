variable "name" {
  type = string
}

variable "repository_arns" {
  type = list(string)
}

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

resource "aws_iam_role" "this" {
  name                 = var.name
  path                 = "/teams/"
  permissions_boundary = "arn:${data.aws_partition.current.partition}:iam::aws:policy/PowerUserAccess"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = data.aws_caller_identity.current.account_id }
    }]
  })
}

data "aws_iam_policy_document" "read" {
  statement {
    actions   = ["ecr:BatchGetImage"]
    resources = var.repository_arns
  }
}

resource "aws_iam_policy" "this" {
  name   = "${var.name}-read"
  policy = data.aws_iam_policy_document.read.json
}

resource "aws_iam_role_policy_attachment" "this" {
  role       = aws_iam_role.this.name
  policy_arn = aws_iam_policy.this.arn
}

output "role_arn" {
  value = aws_iam_role.this.arn
}
