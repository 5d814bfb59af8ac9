provider "aws" {
  region = local.region

  default_tags {
    tags = {
      owner = "platform"
      stage = "default"
    }
  }
}

provider "aws" {
  alias  = "china"
  region = "cn-north-1"
}

locals {
  region       = "us-east-1"
  repositories = toset(["two", "one"])
}

module "team" {
  source = "./child"
  count  = 2

  name            = format("team-%d", count.index)
  repository_arns = [for repository in aws_ecr_repository.each : repository.arn]
}

resource "aws_ecr_repository" "each" {
  for_each = local.repositories

  name = each.key

  tags = {
    stage = "own"
  }
}

resource "aws_ecr_repository_policy" "each" {
  for_each = aws_ecr_repository.each

  repository = each.value.name
  policy     = jsonencode({ Principal = { AWS = module.team[0].role_arn } })
}

resource "aws_ecr_repository" "elsewhere" {
  provider = aws.china

  name = "elsewhere"
}
