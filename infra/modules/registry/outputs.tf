output "repository_arn" {
  description = "ARN of the repository, to be named in policies."
  value       = aws_ecr_repository.this.arn
}

output "repository_name" {
  description = "Name of the repository."
  value       = aws_ecr_repository.this.name
}

output "repository_url" {
  description = "What comes before `:tag` or `@digest` in a reference to an image of this repository."
  value       = aws_ecr_repository.this.repository_url
}

output "registry_id" {
  description = "Account that holds the repository."
  value       = aws_ecr_repository.this.registry_id
}
