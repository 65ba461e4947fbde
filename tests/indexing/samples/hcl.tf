# The bucket.
resource "aws_s3_bucket" "logs" {
  bucket = "x"
  lifecycle { y = 1 }
}
variable "region" { default = "x" }
locals { a = 1 }
module "vpc" { source = "./x" }
x = 1
provider "aws" {}
