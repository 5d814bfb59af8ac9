output "role_arn" {
  description = "ARN of the publisher role, for the workflow."
  value       = module.github_oidc.role_arn
}

output "repository_url" {
  description = "What comes before `:tag` or `@digest` in a reference to an image."
  value       = module.registry.repository_url
}

output "oidc_provider_arn" {
  description = "ARN of the identity provider for GitHub Actions."
  value       = module.github_oidc.oidc_provider_arn
}

output "subjects" {
  description = "The GitHub subjects that may assume the publisher role."
  value       = module.github_oidc.subjects
}
