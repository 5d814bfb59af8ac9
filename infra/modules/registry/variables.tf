variable "name" {
  description = "Name of the ECR repository, for example `portfolio/backend`."
  type        = string

  validation {
    condition     = can(regex("^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$", var.name))
    error_message = "The repository name may hold lowercase letters, digits and single . _ - between them, in parts separated by / (for example `portfolio/backend`)."
  }

  validation {
    condition     = length(var.name) >= 2 && length(var.name) <= 256
    error_message = "The repository name must have 2 to 256 characters."
  }
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts the images. Without it ECR encrypts with its own AES-256 keys. It cannot be changed later: ECR replaces the repository."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "The KMS key must be given by its key ARN, arn:aws:kms:REGION:ACCOUNT:key/ID: an alias can be pointed at another key."
  }
}

variable "untagged_expire_days" {
  description = "Days after which an image without a tag expires; null: never. AWS does not say that such a rule spares the signatures and attestations of images that stay."
  type        = number
  default     = null

  validation {
    condition     = alltrue([for days in var.untagged_expire_days[*] : days >= 1 && floor(days) == days])
    error_message = "The number of days must be a whole number of 1 or more."
  }
}

variable "keep_images" {
  description = "How many images with a tag to keep, the newest first: as many releases as a rollback can go back to. Signatures and attestations have no tag and go with their image."
  type        = number
  default     = 100

  validation {
    condition     = var.keep_images >= 2 && floor(var.keep_images) == var.keep_images
    error_message = "The number of images must be a whole number of 2 or more: with 1 there would be nothing to roll back to."
  }
}

variable "force_delete" {
  description = "Whether `terraform destroy` may delete a repository that still holds images."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of the repository."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.tags) : length(key) <= 128 && !startswith(lower(key), "aws:")])
    error_message = "A tag key has at most 128 characters and must not begin with `aws:`, which AWS keeps for itself."
  }
}
