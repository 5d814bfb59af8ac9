variable "later" {
  type = number
}

provider "aws" {
  region = "eu-west-1"
}

module "remote" {
  source  = "terraform-aws-modules/iam/aws//modules/iam-role"
  version = "6.2.1"
}

resource "aws_iam_role" "remote" {
  name               = "remote"
  assume_role_policy = module.remote.trust
}

resource "aws_iam_role" "prefixed" {
  name_prefix        = "prefixed-"
  assume_role_policy = "{}"
}

resource "aws_iam_role" "counted" {
  count = var.later

  name               = "counted"
  assume_role_policy = "{}"
}

resource "aws_iam_role" "cycle" {
  name               = "cycle"
  assume_role_policy = local.a
}

locals {
  a = "${local.b}"
  b = "${local.c} and more"
  c = "${local.a}"
}

resource "aws_iam_role" "good" {
  name               = "good"
  assume_role_policy = "{}"

  tags = {
    kept    = "yes"
    unknown = random_id.suffix.hex
  }
}

resource "aws_iam_role_policy" "stray" {
  name   = "stray"
  role   = "elsewhere"
  policy = "{}"
}

resource "aws_iam_role_policy" "merged" {
  name   = "merged"
  role   = aws_iam_role.good.name
  policy = data.aws_iam_policy_document.merged.json
}

data "aws_iam_policy_document" "merged" {
  source_policy_documents = [random_id.suffix.hex]
}

resource "random_id" "suffix" {
  byte_length = 4
}

resource "aws_ecr_repository" "random" {
  name = "random-${random_id.suffix.hex}"
}
