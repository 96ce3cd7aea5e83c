package main

import (
	"context"
	"hash/crc32"
	"strings"
	"time"

	"cloud.google.com/go/iam/credentials/apiv1/credentialspb"
	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// secretServer is Secret Manager, as far as pods use it.
type secretServer struct {
	secretmanagerpb.UnimplementedSecretManagerServiceServer
	google *google
}

func (s *secretServer) AccessSecretVersion(
	ctx context.Context, r *secretmanagerpb.AccessSecretVersionRequest,
) (*secretmanagerpb.AccessSecretVersionResponse, error) {
	caller, err := s.google.caller(ctx)
	if err != nil {
		return nil, err
	}
	asked := question{Method: "access", Principal: caller.principal, Name: r.GetName()}
	answer, err := ask(ctx, caller.cluster, asked)
	if err != nil {
		return nil, err
	}
	sum := int64(crc32.Checksum(answer.Data, crc32.MakeTable(crc32.Castagnoli)))
	payload := &secretmanagerpb.SecretPayload{Data: answer.Data, DataCrc32C: &sum}
	return &secretmanagerpb.AccessSecretVersionResponse{Name: answer.Name, Payload: payload}, nil
}

// accountServer gives the token of a Google account to pods that may act as it.
type accountServer struct {
	credentialspb.UnimplementedIAMCredentialsServer
	google *google
}

func (s *accountServer) GenerateAccessToken(
	ctx context.Context, r *credentialspb.GenerateAccessTokenRequest,
) (*credentialspb.GenerateAccessTokenResponse, error) {
	caller, err := s.google.caller(ctx)
	if err != nil {
		return nil, err
	}
	account := r.GetName()[strings.LastIndex(r.GetName(), "/")+1:]
	asked := question{Method: "impersonate", Principal: caller.principal, Account: account}
	answer, err := ask(ctx, caller.cluster, asked)
	if err != nil {
		return nil, err
	}
	token := s.google.issue(holder{principal: answer.Principal, cluster: caller.cluster})
	until := timestamppb.New(time.Now().Add(hourOfUse))
	return &credentialspb.GenerateAccessTokenResponse{AccessToken: token, ExpireTime: until}, nil
}
