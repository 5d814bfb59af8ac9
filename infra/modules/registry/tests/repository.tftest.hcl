mock_provider "aws" {}

variables {
  name = "portfolio/backend"
}

run "images_cannot_be_replaced_and_are_scanned_and_encrypted" {
  command = plan

  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE_WITH_EXCLUSION"
    error_message = "Tags must be immutable."
  }

  assert {
    condition     = one(aws_ecr_repository.this.image_scanning_configuration).scan_on_push
    error_message = "Images must be scanned on push."
  }

  assert {
    condition     = one(aws_ecr_repository.this.encryption_configuration).encryption_type == "AES256"
    error_message = "Without a key, images are encrypted with AES-256."
  }

  assert {
    condition     = aws_ecr_repository.this.force_delete == false
    error_message = "A repository with images must survive a destroy unless asked otherwise."
  }
}

run "a_key_switches_encryption_to_kms" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/0d1b-ab"
  }

  assert {
    condition     = one(aws_ecr_repository.this.encryption_configuration).encryption_type == "KMS"
    error_message = "With a key, images are encrypted by KMS."
  }

  assert {
    condition     = one(aws_ecr_repository.this.encryption_configuration).kms_key == "arn:aws:kms:eu-west-1:123456789012:key/0d1b-ab"
    error_message = "The given key must be used."
  }
}

run "lifecycle_policy_follows_ecr_grammar" {
  command = plan

  variables {
    untagged_expire_days = 7
    keep_images          = 30
  }

  assert {
    condition     = [for rule in jsondecode(aws_ecr_lifecycle_policy.this.policy).rules : rule.rulePriority] == [1, 2]
    error_message = "Priorities must be unique and in order."
  }

  assert {
    condition     = jsondecode(aws_ecr_lifecycle_policy.this.policy).rules[0].selection == { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 }
    error_message = "The first rule must expire untagged images after the given days."
  }

  assert {
    condition     = jsondecode(aws_ecr_lifecycle_policy.this.policy).rules[1].selection == { tagStatus = "tagged", tagPatternList = ["*"], countType = "imageCountMoreThan", countNumber = 30 }
    error_message = "The last rule, for images with a tag, must keep the given number."
  }

  assert {
    condition     = alltrue([for rule in jsondecode(aws_ecr_lifecycle_policy.this.policy).rules : rule.action == { type = "expire" }])
    error_message = "Both rules must expire."
  }
}

run "untagged_images_stay_unless_asked" {
  command = plan

  assert {
    condition     = [for rule in jsondecode(aws_ecr_lifecycle_policy.this.policy).rules : rule.selection.tagStatus] == ["tagged"]
    error_message = "Attestations have no tag: no rule may select them by default."
  }
}

run "an_uppercase_name_is_refused" {
  command = plan

  variables {
    name = "Portfolio/backend"
  }

  expect_failures = [var.name]
}

run "a_wildcard_name_is_refused" {
  command = plan

  variables {
    name = "portfolio/*"
  }

  expect_failures = [var.name]
}

run "a_key_alias_is_refused" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:alias/images"
  }

  expect_failures = [var.kms_key_arn]
}

run "keeping_less_than_a_rollback_needs_is_refused" {
  command = plan

  variables {
    keep_images = 1
  }

  expect_failures = [var.keep_images]
}

run "zero_days_are_refused" {
  command = plan

  variables {
    untagged_expire_days = 0
  }

  expect_failures = [var.untagged_expire_days]
}

run "tags_of_aws_are_refused" {
  command = plan

  variables {
    tags = { "aws:owner" = "me" }
  }

  expect_failures = [var.tags]
}
