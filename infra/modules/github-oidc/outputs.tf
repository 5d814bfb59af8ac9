output "role_arn" {
  description = "ARN of the publisher role, for the workflow."
  value       = aws_iam_role.publisher.arn
}

output "role_name" {
  description = "Name of the publisher role."
  value       = aws_iam_role.publisher.name
}

output "oidc_provider_arn" {
  description = "ARN of the identity provider for GitHub Actions."
  value       = local.provider_arn
}

output "subjects" {
  description = "The subjects that may assume the role: by name, and with ids."
  value       = local.subjects
}
