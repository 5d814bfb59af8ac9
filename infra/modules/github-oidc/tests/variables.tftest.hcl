# What the module refuses, and that what it is given arrives.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = {
      json = "{}"
    }
  }
}

variables {
  github_repository          = "acme/portfolio"
  github_repository_owner_id = "1234567"
  github_repository_id       = "7654321"
  repository_arn             = "arn:aws:ecr:eu-west-1:123456789012:repository/portfolio/backend"
}

run "subjects_have_both_forms" {
  command = plan

  assert {
    condition = output.subjects == [
      "repo:acme/portfolio:ref:refs/heads/main",
      "repo:acme@1234567/portfolio@7654321:ref:refs/heads/main",
    ]
    error_message = "A repository in either form must be able to publish."
  }
}

run "provider_accepts_the_audience_of_sts" {
  command = plan

  assert {
    condition     = aws_iam_openid_connect_provider.github[0].url == "https://token.actions.githubusercontent.com"
    error_message = "The issuer must be GitHub's."
  }

  assert {
    condition     = toset(aws_iam_openid_connect_provider.github[0].client_id_list) == toset(["sts.amazonaws.com"])
    error_message = "The audience must be that of STS."
  }
}

run "a_wildcard_repository_is_refused" {
  command = plan

  variables {
    github_repository = "acme/*"
  }

  expect_failures = [var.github_repository]
}

run "an_owner_without_a_repository_is_refused" {
  command = plan

  variables {
    github_repository = "acme"
  }

  expect_failures = [var.github_repository]
}

run "a_url_for_a_repository_is_refused" {
  command = plan

  variables {
    github_repository = "github.com/acme/portfolio"
  }

  expect_failures = [var.github_repository]
}

run "a_name_for_an_id_is_refused" {
  command = plan

  variables {
    github_repository_owner_id = "acme"
    github_repository_id       = "portfolio"
  }

  expect_failures = [var.github_repository_owner_id, var.github_repository_id]
}

run "a_wildcard_branch_is_refused" {
  command = plan

  variables {
    branch = "*"
  }

  expect_failures = [var.branch]
}

run "a_full_ref_for_a_branch_is_refused" {
  command = plan

  variables {
    branch = "refs/heads/main"
  }

  expect_failures = [var.branch]
}

run "a_wildcard_environment_is_refused" {
  command = plan

  variables {
    environment = "prod*"
  }

  expect_failures = [var.environment]
}

run "a_wildcard_registry_is_refused" {
  command = plan

  variables {
    repository_arn = "arn:aws:ecr:eu-west-1:123456789012:repository/*"
  }

  expect_failures = [var.repository_arn]
}

run "a_role_arn_for_a_role_name_is_refused" {
  command = plan

  variables {
    role_name = "arn:aws:iam::123456789012:role/publisher"
  }

  expect_failures = [var.role_name]
}

run "a_boundary_that_is_no_policy_is_refused" {
  command = plan

  variables {
    permissions_boundary = "arn:aws:iam::123456789012:role/publisher"
  }

  expect_failures = [var.permissions_boundary]
}

run "tags_of_aws_are_refused" {
  command = plan

  variables {
    tags = { "aws:owner" = "me" }
  }

  expect_failures = [var.tags]
}
