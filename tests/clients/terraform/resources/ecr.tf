# Every resource of ECR that the emulator performs, with all of its arguments.
resource "aws_ecr_repository" "backend" {
  name                 = "portfolio/backend"
  force_delete         = var.changed
  image_tag_mutability = var.changed ? "IMMUTABLE" : "MUTABLE"
  image_scanning_configuration {
    scan_on_push = !var.changed
  }
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = "arn:aws:kms:eu-central-1:123456789012:key/0b1c2d3e-0000-4000-8000-000000000000"
  }
  tags = var.changed ? { stage = "second" } : { stage = "first", cost = "none" }
}

resource "aws_ecr_repository" "plain" {
  name = "plain"
}

data "aws_ecr_lifecycle_policy_document" "keep" {
  rule {
    priority    = 1
    description = "expire untagged images"
    selection {
      tag_status   = "untagged"
      count_type   = "sinceImagePushed"
      count_unit   = "days"
      count_number = var.changed ? 7 : 14
    }
    action {
      type = "expire"
    }
  }
  rule {
    priority = 2
    selection {
      tag_status       = "tagged"
      tag_pattern_list = ["v*"]
      count_type       = "imageCountMoreThan"
      count_number     = 10
    }
  }
}

resource "aws_ecr_lifecycle_policy" "backend" {
  repository = aws_ecr_repository.backend.name
  policy     = data.aws_ecr_lifecycle_policy_document.keep.json
}

data "aws_iam_policy_document" "pull" {
  statement {
    sid     = "pull"
    actions = var.changed ? ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"] : ["ecr:BatchGetImage"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::222222222222:root"]
    }
  }
}

resource "aws_ecr_repository_policy" "backend" {
  repository = aws_ecr_repository.backend.name
  policy     = data.aws_iam_policy_document.pull.json
}

data "aws_iam_policy_document" "registry" {
  statement {
    sid       = "replicate"
    actions   = var.changed ? ["ecr:CreateRepository", "ecr:ReplicateImage"] : ["ecr:ReplicateImage"]
    resources = ["arn:aws:ecr:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:repository/*"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::222222222222:root"]
    }
  }
}

resource "aws_ecr_registry_policy" "this" {
  policy = data.aws_iam_policy_document.registry.json
}

resource "aws_ecr_registry_scanning_configuration" "this" {
  scan_type = var.changed ? "ENHANCED" : "BASIC"
  rule {
    scan_frequency = var.changed ? "CONTINUOUS_SCAN" : "SCAN_ON_PUSH"
    repository_filter {
      filter      = "prod*"
      filter_type = "WILDCARD"
    }
  }
}

resource "aws_ecr_account_setting" "scan" {
  name  = "BASIC_SCAN_TYPE_VERSION"
  value = "AWS_NATIVE"
}

resource "aws_ecr_account_setting" "scope" {
  name  = "REGISTRY_POLICY_SCOPE"
  value = "V2"
}

resource "aws_ecr_repository_creation_template" "production" {
  prefix               = "prod"
  description          = var.changed ? "changed" : "production"
  image_tag_mutability = var.changed ? "MUTABLE" : "IMMUTABLE"
  custom_role_arn      = var.changed ? null : "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/creator"
  applied_for          = var.changed ? ["PULL_THROUGH_CACHE"] : ["PULL_THROUGH_CACHE", "REPLICATION"]
  encryption_configuration {
    encryption_type = "AES256"
  }
  repository_policy = data.aws_iam_policy_document.pull.json
  lifecycle_policy  = data.aws_ecr_lifecycle_policy_document.keep.json
  resource_tags     = { stage = var.changed ? "second" : "first" }
}

data "aws_ecr_repository" "backend" {
  name = aws_ecr_repository.backend.name
}

data "aws_ecr_repositories" "all" {
  depends_on = [aws_ecr_repository.backend, aws_ecr_repository.plain]
}

data "aws_ecr_repository_creation_template" "production" {
  prefix = aws_ecr_repository_creation_template.production.prefix
}

data "aws_ecr_authorization_token" "login" {}

output "repository_url" {
  value = data.aws_ecr_repository.backend.repository_url
}

output "repositories" {
  value = sort(data.aws_ecr_repositories.all.names)
}
