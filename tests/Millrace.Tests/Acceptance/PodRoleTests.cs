using System.Net;
using Amazon.Runtime;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;
using Millrace.Tests.Clients;
using Millrace.Tests.ObjectStorage.S3;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>A broker without keys, whose credentials are those of the role that its pod's service account has, as on EKS (IRSA).</summary>
public sealed class PodRoleTests(S3Servers servers)
{
    private const string Role = "arn:aws:iam::123456789012:role/streams";
    private const string Token = "what the cluster has signed";

    [Fact]
    public async Task A_token_of_the_service_account_is_exchanged_for_credentials_of_its_role()
    {
        var minio = await servers.MinioAsync();
        using var directory = new TemporaryDirectory();
        var token = directory.Sub("token");
        await File.WriteAllTextAsync(token, Token, TestContext.Current.CancellationToken);
        var session = await SessionAsync(minio);
        var asked = new List<string>();
        await using var tokens = new ScriptedServer(request => Answer(request, asked, session));

        await using var broker = await MillraceProcess.StartAsync(
            directory.Sub("data"),
            [
                ("AWS_ROLE_ARN", Role), ("AWS_WEB_IDENTITY_TOKEN_FILE", token), ("AWS_ENDPOINT_URL_STS", tokens.Endpoint), ("AWS_REGION", "us-east-1"),
                ("AWS_EC2_METADATA_DISABLED", "true"),
            ],
            "--store", minio.Uri("pod-role"), "--wal", "object");
        await TestTopic.CreateAsync(broker.BootstrapServers, "kept", partitions: 1);
        using var load = new Load(broker.BootstrapServers, "kept", partitions: 1, producers: 1);
        await load.WaitForMoreAsync(100, TimeSpan.FromSeconds(30));
        load.Stop(TimeSpan.FromSeconds(30));

        LogContent.Read(broker.BootstrapServers, "kept", partitions: 1).AssertHolds(load.Acknowledged);
        lock (asked)
        {
            Assert.NotEmpty(asked);
            Assert.All(asked, form =>
            {
                Assert.Contains("Action=AssumeRoleWithWebIdentity", form, StringComparison.Ordinal);
                Assert.Contains($"RoleArn={Uri.EscapeDataString(Role)}", form, StringComparison.Ordinal);
                Assert.Contains($"WebIdentityToken={Uri.EscapeDataString(Token)}", form, StringComparison.Ordinal);
            });
        }
    }

    /// <summary>Credentials for a while, of the kind that a role has: with a session's token.</summary>
    private static async Task<Credentials> SessionAsync(S3Server minio)
    {
        var keys = minio.Credentials.ToDictionary(pair => pair.Name, pair => pair.Value);
        using var client = new AmazonSecurityTokenServiceClient(
            new BasicAWSCredentials(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"]),
            new AmazonSecurityTokenServiceConfig { ServiceURL = minio.Endpoint, AuthenticationRegion = "us-east-1" });
        return (await client.AssumeRoleAsync(
            new AssumeRoleRequest { RoleArn = Role, RoleSessionName = "test", DurationSeconds = 3600 }, TestContext.Current.CancellationToken)).Credentials;
    }

    private static (int Status, string Body)? Answer(HttpListenerRequest request, List<string> asked, Credentials session)
    {
        using var reader = new StreamReader(request.InputStream);
        lock (asked)
        {
            asked.Add(reader.ReadToEnd());
        }

        return (200, $"""
            <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
            <AssumedRoleUser><Arn>{Role}/session</Arn><AssumedRoleId>A:session</AssumedRoleId></AssumedRoleUser>
            <Credentials><AccessKeyId>{session.AccessKeyId}</AccessKeyId><SecretAccessKey>{session.SecretAccessKey}</SecretAccessKey>
            <SessionToken>{session.SessionToken}</SessionToken><Expiration>{session.Expiration:yyyy-MM-ddTHH:mm:ssZ}</Expiration></Credentials>
            </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>
            """);
    }
}
