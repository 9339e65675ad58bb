// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of AWS: jobs. See calls.h.
#ifndef ISOBAR_CLOUD_AWS_CALLS_JOBS_IMPL_H
#define ISOBAR_CLOUD_AWS_CALLS_JOBS_IMPL_H

// clang-format off
#define AWS_JOB_ROWS(X) \
	X(CREATE_TRAINING_JOB, "CreateTrainingJob", "POST", "/", "", "sagemaker:CreateTrainingJob sagemaker:AddTags iam:PassRole", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_JOBS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.CreateTrainingJob", .repeat = CALL_REPEAT_CONDITION, .async = CALL_POLLS, .price = "sagemaker.training") \
	X(DELETE_TRAINING_JOB, "DeleteTrainingJob", "POST", "/", "", "sagemaker:DeleteTrainingJob", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_JOBS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.DeleteTrainingJob", .repeat = CALL_REPEAT_NAMED) \
	X(DESCRIBE_TRAINING_JOB, "DescribeTrainingJob", "POST", "/", "", "sagemaker:DescribeTrainingJob", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_JOBS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.DescribeTrainingJob", .reads = true) \
	X(LIST_TRAINING_JOBS, "ListTrainingJobs", "POST", "/", "", "sagemaker:ListTrainingJobs", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_JOBS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.ListTrainingJobs", .reads = true) \
	X(STOP_TRAINING_JOB, "StopTrainingJob", "POST", "/", "", "sagemaker:StopTrainingJob", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_JOBS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.StopTrainingJob", .repeat = CALL_REPEAT_NAMED, .async = CALL_POLLS) \
	X(CREATE_PROCESSING_JOB, "CreateProcessingJob", "POST", "/", "", "sagemaker:CreateProcessingJob sagemaker:AddTags iam:PassRole", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_JOBS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.CreateProcessingJob", .repeat = CALL_REPEAT_CONDITION, .async = CALL_POLLS, .price = "sagemaker.processing") \
	X(DELETE_PROCESSING_JOB, "DeleteProcessingJob", "POST", "/", "", "sagemaker:DeleteProcessingJob", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_JOBS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.DeleteProcessingJob", .repeat = CALL_REPEAT_NAMED) \
	X(DESCRIBE_PROCESSING_JOB, "DescribeProcessingJob", "POST", "/", "", "sagemaker:DescribeProcessingJob", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_JOBS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.DescribeProcessingJob", .reads = true) \
	X(LIST_PROCESSING_JOBS, "ListProcessingJobs", "POST", "/", "", "sagemaker:ListProcessingJobs", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_JOBS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.ListProcessingJobs", .reads = true) \
	X(STOP_PROCESSING_JOB, "StopProcessingJob", "POST", "/", "", "sagemaker:StopProcessingJob", .scope = CALL_ON_ACCOUNT, .part = CALL_PART_JOBS, .api = AWS_API_SAGEMAKER, .target = "SageMaker.StopProcessingJob", .repeat = CALL_REPEAT_NAMED, .async = CALL_POLLS)
// clang-format on

#endif
