# What the policies say. The provider computes policy documents itself, so it is
# real here, with credentials that are never used: nothing is called in a plan.
provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "unused"
  secret_key                  = "unused"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

override_resource {
  target          = aws_iam_openid_connect_provider.github
  override_during = plan
  values = {
    arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
  }
}

override_data {
  target = data.aws_iam_openid_connect_provider.github
  values = {
    arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
  }
}

variables {
  github_repository          = "acme/portfolio"
  github_repository_owner_id = "1234567"
  github_repository_id       = "7654321"
  repository_arn             = "arn:aws:ecr:eu-west-1:123456789012:repository/portfolio/backend"
}

run "trust_is_limited_to_the_branch_in_both_subject_forms" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role.publisher.assume_role_policy).Statement[0].Condition == {
      StringEquals = {
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub" = [
          "repo:acme/portfolio:ref:refs/heads/main",
          "repo:acme@1234567/portfolio@7654321:ref:refs/heads/main",
        ]
      }
    }
    error_message = "The trust policy must equal one audience and the two subjects."
  }

  assert {
    condition     = jsondecode(aws_iam_role.publisher.assume_role_policy).Statement[0].Principal == { Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
    error_message = "Only GitHub's provider is trusted."
  }

  assert {
    condition     = length(jsondecode(aws_iam_role.publisher.assume_role_policy).Statement) == 1
    error_message = "A second statement would be a second way in."
  }

  assert {
    condition     = jsondecode(aws_iam_role.publisher.assume_role_policy).Statement[0].Action == "sts:AssumeRoleWithWebIdentity"
    error_message = "A web identity is the only way in."
  }

  assert {
    condition     = aws_iam_role.publisher.max_session_duration == 3600
    error_message = "A session lasts an hour at most."
  }
}

run "no_wildcard_in_the_trust_policy" {
  command = plan

  assert {
    condition     = !can(regex("[*?]", aws_iam_role.publisher.assume_role_policy))
    error_message = "A wildcard in the trust policy."
  }
}

run "other_repository_branch_and_audience_are_not_in_the_trust_policy" {
  command = plan

  variables {
    github_repository = "acme/other"
    branch            = "release"
  }

  assert {
    condition     = !strcontains(aws_iam_role.publisher.assume_role_policy, "acme/portfolio:") && !strcontains(aws_iam_role.publisher.assume_role_policy, "refs/heads/main")
    error_message = "The subjects must follow the variables."
  }

  assert {
    condition     = !strcontains(aws_iam_role.publisher.assume_role_policy, "https://github.com/acme")
    error_message = "GitHub's default audience must not be accepted."
  }
}

run "an_environment_takes_the_place_of_the_branch" {
  command = plan

  variables {
    environment = "Production:EU"
  }

  assert {
    condition = jsondecode(aws_iam_role.publisher.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == [
      "repo:acme/portfolio:environment:Production%3AEU",
      "repo:acme@1234567/portfolio@7654321:environment:Production%3AEU",
    ]
    error_message = "With an environment, GitHub's subject names it, with colons escaped."
  }
}

run "the_role_may_push_to_one_repository_and_no_more" {
  command = plan

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.push.policy).Statement : statement.Sid => statement.Resource } == {
      Login = "*"
      Push  = "arn:aws:ecr:eu-west-1:123456789012:repository/portfolio/backend"
    }
    error_message = "Only the login is on every resource."
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.push.policy).Statement : statement.Sid => [for action in sort(flatten([statement.Action])) : action] } == {
      Login = ["ecr:GetAuthorizationToken"]
      Push = [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:CompleteLayerUpload",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
      ]
    }
    error_message = "The actions must be those of AWS's push policy."
  }
}

run "an_existing_provider_is_looked_up" {
  command = plan

  variables {
    create_oidc_provider = false
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0
    error_message = "An account has one provider for GitHub: a second one cannot be created."
  }

  assert {
    condition     = jsondecode(aws_iam_role.publisher.assume_role_policy).Statement[0].Principal.Federated == "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    error_message = "The provider found must be the one trusted."
  }
}
