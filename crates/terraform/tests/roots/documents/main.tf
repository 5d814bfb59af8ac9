# Policy documents in the shapes that the provider treats differently, compared
# with what the provider itself makes of them.
provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "unused"
  secret_key                  = "unused"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

data "aws_region" "current" {}

data "aws_partition" "current" {}

locals {
  statements = {
    read  = ["s3:GetObject", "s3:ListBucket"]
    write = ["s3:PutObject"]
  }
}

data "aws_iam_policy_document" "everything" {
  policy_id = "all-of-it"
  version   = "2012-10-17"

  statement {
    sid           = "Principals"
    effect        = "Deny"
    not_actions   = ["sts:AssumeRole"]
    not_resources = ["arn:aws:s3:::b", "arn:aws:s3:::a"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::111111111111:root", "arn:aws:iam::222222222222:root"]
    }

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }

    condition {
      test     = "StringLike"
      variable = "aws:PrincipalTag/team"
      values   = ["b", "a", "&{aws:username}"]
    }

    condition {
      test     = "StringLike"
      variable = "aws:SourceVpc"
      values   = ["vpc-1"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = [true]
    }
  }

  statement {
    actions   = ["s3:*"]
    resources = ["arn:aws:s3:::&{aws:username}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }

  statement {
    actions   = ["s3:*"]
    resources = ["*"]

    not_principals {
      type        = "AWS"
      identifiers = ["*"]
    }
  }
}

data "aws_iam_policy_document" "dynamic" {
  dynamic "statement" {
    for_each = local.statements
    iterator = each_statement

    content {
      sid       = upper(each_statement.key)
      actions   = each_statement.value
      resources = ["arn:${data.aws_partition.current.partition}:s3:::bucket-${data.aws_region.current.name}"]

      dynamic "condition" {
        for_each = each_statement.key == "write" ? ["aws:SourceIp"] : []

        content {
          test     = "IpAddress"
          variable = condition.value
          values   = ["10.0.0.0/8"]
        }
      }
    }
  }
}

data "aws_iam_policy_document" "joined_principals" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::111111111111:root"]
    }

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::222222222222:root", "arn:aws:iam::333333333333:root"]
    }
  }
}

data "aws_iam_policy_document" "everyone_of_aws" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
  }
}

data "aws_iam_policy_document" "old_version" {
  version = "2008-10-17"

  statement {
    actions   = ["s3:GetObject"]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "no_statement" {}

data "aws_iam_policy_document" "repeated_values" {
  statement {
    sid       = ""
    actions   = ["s3:GetObject", "s3:GetObject", "s3:PutObject"]
    resources = []

    condition {
      test     = "StringEquals"
      variable = "aws:SourceVpc"
      values   = ["vpc-1", "vpc-1", "a&b<c>"]
    }
  }
}

output "everything" {
  value = data.aws_iam_policy_document.everything.json
}

output "dynamic" {
  value = data.aws_iam_policy_document.dynamic.json
}

output "joined_principals" {
  value = data.aws_iam_policy_document.joined_principals.json
}

output "everyone_of_aws" {
  value = data.aws_iam_policy_document.everyone_of_aws.json
}

output "old_version" {
  value = data.aws_iam_policy_document.old_version.json
}

output "no_statement" {
  value = data.aws_iam_policy_document.no_statement.json
}

output "repeated_values" {
  value = data.aws_iam_policy_document.repeated_values.json
}

# Documents merged by statement id: sources, then its own, then overriding.
data "aws_iam_policy_document" "merged" {
  policy_id               = "own"
  version                 = "2008-10-17"
  source_policy_documents = [data.aws_iam_policy_document.dynamic.json, data.aws_iam_policy_document.old_version.json]
  override_policy_documents = [
    jsonencode({
      Version = "2012-10-17"
      Statement = [
        { Sid = "WRITE", Effect = "Deny", Action = "s3:PutObject", Resource = "*" },
        { Sid = "Last", Effect = "Allow", Action = ["s3:GetObject"], Resource = "*" },
      ]
    }),
    file("${path.module}/overriding.json"),
  ]

  statement {
    sid       = "Own"
    actions   = ["s3:GetObject"]
    resources = ["*"]
  }
}

output "merged" {
  value = data.aws_iam_policy_document.merged.json
}

output "minified" {
  value = data.aws_iam_policy_document.merged.minified_json
}
