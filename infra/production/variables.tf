# The modules validate what is passed on to them; here only what is not.

variable "aws_region" {
  description = "Region of the ECR repository."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(?:-[a-z]+)+-[0-9]+$", var.aws_region))
    error_message = "The region must be a region's code, for example `eu-west-1`."
  }
}

variable "github_repository" {
  description = "Repository whose workflow may publish, as `owner/name`."
  type        = string
}

variable "github_repository_owner_id" {
  description = "Numeric id of the repository's owner (`gh api repos/OWNER/NAME --jq .owner.id`)."
  type        = string
}

variable "github_repository_id" {
  description = "Numeric id of the repository (`gh api repos/OWNER/NAME --jq .id`)."
  type        = string
}

variable "branch" {
  description = "Branch whose pushes may publish."
  type        = string
  default     = "main"
}

variable "repository_name" {
  description = "Name of the ECR repository."
  type        = string
}

variable "role_name" {
  description = "Name of the publisher role."
  type        = string
}

variable "create_oidc_provider" {
  description = "Whether to create the identity provider for GitHub Actions; false if the account has it already."
  type        = bool
  default     = true
}

variable "tags" {
  description = "Tags of everything that this root creates."
  type        = map(string)
  default     = {}
}
