mock_provider "aws" {}

variables {
  name = "portfolio/backend"
}

run "only_latest_may_move" {
  command = plan

  assert {
    condition     = [for filter in aws_ecr_repository.this.image_tag_mutability_exclusion_filter : "${filter.filter_type}:${filter.filter}"] == ["WILDCARD:latest"]
    error_message = "Exactly the tag `latest` is excluded from immutability."
  }
}
