namespace IdentityServer.Resources;

/// <summary>Names the hosted pages' texts: <c>Texts.resx</c> is English, <c>Texts.zh-Hans.resx</c> Simplified Chinese.</summary>
public sealed class Texts
{
    private Texts() { }
}
