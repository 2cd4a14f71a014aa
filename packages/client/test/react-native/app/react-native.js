// What the Expo example takes of React Native's views, which are native code: names alone.
export const View = 'View'
export const Text = 'Text'
export const Button = 'Button'
export const TextInput = 'TextInput'
