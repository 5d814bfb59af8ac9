terraform {
  required_version = ">= 1.9.0"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # 6.8.0 is the first version with image_tag_mutability_exclusion_filter.
      version = ">= 6.8.0, < 7.0.0"
    }
  }
}
