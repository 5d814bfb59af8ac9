# Endpoints, region and keys are those of the environment.
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

provider "aws" {
  default_tags {
    tags = { made_by = "terraform" }
  }
}

variable "changed" {
  description = "Whether every argument that can be changed in place has its second value."
  type        = bool
  default     = false
}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}
