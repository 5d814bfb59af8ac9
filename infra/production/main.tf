provider "aws" {
  region = var.aws_region
}

module "registry" {
  source = "../modules/registry"

  name = var.repository_name
  tags = var.tags
}

module "github_oidc" {
  source = "../modules/github-oidc"

  github_repository          = var.github_repository
  github_repository_owner_id = var.github_repository_owner_id
  github_repository_id       = var.github_repository_id
  branch                     = var.branch
  create_oidc_provider       = var.create_oidc_provider
  role_name                  = var.role_name
  repository_arn             = module.registry.repository_arn
  tags                       = var.tags
}
