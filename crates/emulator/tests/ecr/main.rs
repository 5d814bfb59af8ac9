//! ECR and its registry, over HTTP, as clients use them.

mod aws_cli;
mod denials;
mod images;
mod layer_uploads;
mod limits;
mod login;
mod push_and_pull;
mod repositories;
mod restart;
mod served;
mod signing;
